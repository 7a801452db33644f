// jsforce, unchanged, as its users call it.
import assert from 'node:assert/strict';
import jsforce from 'jsforce';
import { play, refused, step } from './steps.mjs';

const given = JSON.parse(process.env.SANDBOX);
const { url } = given;
const oauth2 = {
  loginUrl: url,
  clientId: given.client_id,
  clientSecret: given.client_secret,
  redirectUri: 'http://127.0.0.1:9/callback',
};
const signedIn = async () => {
  const conn = new jsforce.Connection({ loginUrl: url, version: '60.0' });
  await conn.login(given.username, given.password + given.security_token);
  return conn;
};
let conn;
const made = [];

step('signs in by SOAP', async () => {
  conn = await signedIn();
  assert.equal(conn.instanceUrl, url);
  assert.match(conn.userInfo.id, /^005/);
});
step('is refused with a wrong password', () =>
  refused('INVALID_LOGIN', () => new jsforce.Connection({ loginUrl: url }).login(given.username, 'no')));
step('signs in by client credentials', async () => {
  const other = new jsforce.Connection({ oauth2, instanceUrl: url, version: '60.0' });
  await other.authorize({ grant_type: 'client_credentials' });
  assert.equal((await other.query('SELECT Id FROM Lead LIMIT 1')).records.length, 1);
});
step('signs in by OAuth user name and password', async () => {
  const other = new jsforce.Connection({ oauth2, version: '60.0' });
  await other.login(given.username, given.password + given.security_token);
  assert.ok(other.accessToken);
});
step('goes through the web flow and refreshes', async () => {
  const flow = new jsforce.OAuth2(oauth2);
  const page = await fetch(flow.getAuthorizationUrl({ scope: 'api refresh_token', state: 'x1' }), {
    redirect: 'manual',
  });
  const html = await page.text();
  assert.equal(page.status, 200, html);
  const form = new URLSearchParams(
    [...html.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)].map((m) => [
      m[1],
      m[2].replaceAll('&amp;', '&'),
    ]),
  );
  const action = html.match(/<form[^>]*action="([^"]*)"/)?.[1] ?? '';
  const target = new URL(action.replaceAll('&amp;', '&') || page.url, page.url);
  const back = await fetch(target, { method: 'POST', body: form, redirect: 'manual' });
  const location = new URL(back.headers.get('location'));
  assert.equal(location.searchParams.get('state'), 'x1');
  const tokens = await flow.requestToken(location.searchParams.get('code'));
  assert.ok(tokens.refresh_token);
  const renewed = await flow.refreshToken(tokens.refresh_token);
  assert.ok(renewed.access_token);
  const other = new jsforce.Connection({
    oauth2: flow,
    instanceUrl: url,
    accessToken: 'expired',
    refreshToken: tokens.refresh_token,
    version: '60.0',
  });
  assert.equal((await other.query('SELECT count() FROM Lead')).totalSize > 0, true);
  await flow.revokeToken(tokens.refresh_token);
});
step('reads who it is', async () => {
  const identity = await conn.identity();
  assert.equal(identity.username, given.username);
});
step('reads versions, limits and the global describe', async () => {
  assert.ok((await conn.request('/services/data')).length > 5);
  const limits = await conn.limits();
  assert.ok(limits.DailyApiRequests.Max > 0);
  assert.ok(conn.limitInfo.apiUsage.limit > 0);
  const { sobjects } = await conn.describeGlobal();
  assert.ok(sobjects.some((each) => each.name === 'Lead' && each.queryable));
});
step('describes a type', async () => {
  const lead = await conn.sobject('Lead').describe();
  const status = lead.fields.find((f) => f.name === 'Status');
  assert.equal(status.type, 'picklist');
  assert.ok(status.picklistValues.length > 2);
  assert.ok(lead.fields.find((f) => f.name === 'OwnerId').referenceTo.includes('User'));
});
step('queries with relationships, LIKE, IN, NOT and ORDER BY', async () => {
  const { records } = await conn.query(
    "SELECT Id, Name, Account.Name, Owner.Name FROM Contact WHERE Account.Name LIKE 'united%'" +
      " AND NOT (LastName IN ('Nobody', 'Else')) ORDER BY LastName DESC NULLS LAST LIMIT 3",
  );
  assert.ok(records.length > 0);
  assert.match(records[0].Account.Name, /^United/i);
  assert.equal(records[0].attributes.type, 'Contact');
});
step('queries in pages and with autoFetch', async () => {
  const names = Array.from({ length: 450 }, (_, i) => ({ LastName: `Paged ${i}`, Company: 'Paging' }));
  const results = await conn.sobject('Lead').create(names, { allowRecursive: true });
  assert.equal(results.filter((r) => r.success).length, 450);
  const text = "SELECT Id, LastName FROM Lead WHERE Company = 'Paging' ORDER BY LastName";
  const page = await conn.query(text, { headers: { 'Sforce-Query-Options': 'batchSize=200' } });
  assert.equal(page.totalSize, 450);
  assert.equal(page.done, false);
  const next = await conn.queryMore(page.nextRecordsUrl);
  assert.equal(page.records.length + next.records.length <= 450, true);
  const all = await conn.query(text).run({ autoFetch: true, maxFetch: 10000 });
  assert.equal((all.records ?? all).length, 450);
  const gone = await conn.sobject('Lead').destroy(results.map((r) => r.id), { allowRecursive: true });
  assert.equal(gone.every((r) => r.success), true);
});
step('counts and groups', async () => {
  assert.ok((await conn.query('SELECT COUNT() FROM Lead')).totalSize > 0);
  const { records } = await conn.query('SELECT Status, COUNT(Id) n FROM Lead GROUP BY Status ORDER BY Status');
  assert.ok(records.every((r) => r.n > 0 && r.attributes.type === 'AggregateResult'));
});
step('queries children in a subquery', async () => {
  const { records } = await conn.query(
    'SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account WHERE Id IN (SELECT AccountId FROM Contact)',
  );
  assert.ok(records.length > 0);
  assert.ok(records.every((r) => r.Contacts.records.length > 0));
});
step('fetches all pages of children', async () => {
  const { id } = await conn.sobject('Account').create({ Name: 'Many' });
  const tasks = Array.from({ length: 230 }, (_, i) => ({ Subject: `Task ${i}`, WhatId: id }));
  await conn.sobject('Task').create(tasks, { allowRecursive: true });
  const text = `SELECT Name, (SELECT Subject FROM Tasks) FROM Account WHERE Id = '${id}'`;
  const part = await conn.query(text).autoFetch(false).execute();
  assert.equal((part.records ?? part)[0].Tasks.done, false);
  const whole = await conn.query(text).autoFetch(true).execute();
  assert.equal(whole.records[0].Tasks.records.length, 230);
});
step('changes and deletes what a query finds', async () => {
  const names = Array.from({ length: 20 }, (_, i) => ({ Name: `Templated ${i}`, BillingState: 'CA' }));
  await conn.sobject('Account').create(names);
  const found = () => conn.sobject('Account').find({ Name: { $like: 'Templated %' } });
  const updated = await found().update({ Name: '${Name} (Updated)', BillingState: null });
  assert.equal(updated.filter((each) => each.success).length, 20);
  assert.ok((await found()).every((each) => each.Name.endsWith('(Updated)') && each.BillingState === null));
  assert.equal((await found().destroy()).length, 20);
});
step('reads layouts, tabs and list views', async () => {
  const account = conn.sobject('Account');
  const { layouts, recordTypeMappings } = await account.layouts();
  assert.ok(layouts[0].detailLayoutSections.length > 0 && recordTypeMappings.length === 1);
  assert.ok((await conn.sobject('User').layouts('UserAlt')).layouts.length === 1);
  assert.equal((await account.compactLayouts()).compactLayouts[0].objectType, 'Account');
  assert.deepEqual((await account.approvalLayouts()).approvalLayouts, []);
  assert.ok((await conn.tabs()).some((tab) => tab.sobjectName === 'Lead'));
  assert.ok((await conn.soap.describeTabs())[0].tabs.length > 0);
  const { listviews } = await account.listviews();
  assert.ok((await account.listview(listviews[0].id).results()).records.length > 0);
  assert.equal((await account.listview(listviews[0].id).explain()).plans[0].sobjectType, 'Account');
});
step('performs a quick action', async () => {
  const [record] = await conn.sobject('Account').find({}, ['Id']).limit(1);
  const action = conn.quickAction('LogACall');
  assert.equal((await action.describe()).targetSobjectType, 'Task');
  assert.equal((await action.defaultValues(record.Id)).WhatId, record.Id);
  const done = await action.execute(record.Id, { Subject: 'Logged' });
  assert.ok(done.success && done.created && done.contextId === record.Id);
});
step('finds by jsforce conditions', async () => {
  const found = await conn
    .sobject('Lead')
    .find({ Company: { $like: '%' }, CreatedDate: { $lte: new jsforce.Date('2100-01-01T00:00:00Z') } }, ['Id', 'Name'])
    .sort({ CreatedDate: -1, Name: 1 })
    .limit(5)
    .skip(2)
    .execute();
  assert.equal(found.length, 5);
});
step('creates, reads, updates and deletes one record', async () => {
  const account = await conn.sobject('Account').create({ Name: 'From jsforce' });
  assert.equal(account.success, true);
  const record = await conn.sobject('Account').retrieve(account.id);
  assert.equal(record.Name, 'From jsforce');
  assert.equal(record.attributes.type, 'Account');
  await conn.sobject('Account').update({ Id: account.id, Name: 'Changed' });
  assert.equal((await conn.sobject('Account').retrieve(account.id)).Name, 'Changed');
  await conn.sobject('Account').destroy(account.id);
  await refused('NOT_FOUND', () => conn.sobject('Account').retrieve(account.id));
});
step('writes collections, each result by itself', async () => {
  const results = await conn.sobject('Lead').create([
    { LastName: 'One', Company: 'Ones', Email: 'one@ones.example' },
    { Company: 'No last name' },
    { LastName: 'Three', Company: 'Ones' },
  ]);
  assert.deepEqual(results.map((r) => r.success), [true, false, true]);
  assert.equal(results[1].errors[0].statusCode ?? results[1].errors[0].errorCode, 'REQUIRED_FIELD_MISSING');
  made.push(results[0].id, results[2].id);
  const updated = await conn.sobject('Lead').update(made.map((Id) => ({ Id, Title: 'Chief' })));
  assert.ok(updated.every((r) => r.success));
  const back = await conn.sobject('Lead').retrieve(made);
  assert.deepEqual(back.map((r) => r.Title), ['Chief', 'Chief']);
});
step('is refused what the vendor refuses', async () => {
  await refused('INVALID_FIELD', () => conn.query('SELECT Nothing__c FROM Lead'));
  await refused('INVALID_TYPE', () => conn.query('SELECT Id FROM Nothing__c'));
  await refused('MALFORMED_QUERY', () => conn.query('SELECT Id FORM Lead'));
  await refused('INVALID_FIELD', () => conn.sobject('Lead').create({ LastName: 'x', Company: 'y', Nope: 1 }));
  await refused('INVALID_FIELD_FOR_INSERT_UPDATE', () =>
    conn.sobject('Lead').update({ Id: made[0], IsConverted: true }));
  await refused('REQUIRED_FIELD_MISSING', () => conn.sobject('Contact').create({ FirstName: 'x' }));
});
step('lists what was updated and deleted', async () => {
  const from = new Date(Date.now() - 3_600_000);
  const to = new Date(Date.now() + 120_000);
  const updated = await conn.sobject('Lead').updated(from.toISOString(), to.toISOString());
  assert.ok(updated.ids.includes(made[0]));
  await conn.sobject('Lead').destroy(made[1]);
  const deleted = await conn.sobject('Lead').deleted(from.toISOString(), to.toISOString());
  assert.ok(deleted.deletedRecords.some((each) => each.id === made[1]));
});
step('sends a composite with references', async () => {
  const answer = await conn.requestPost('/services/data/v60.0/composite', {
    compositeRequest: [
      { method: 'POST', url: '/services/data/v60.0/sobjects/Account', referenceId: 'a', body: { Name: 'Composed' } },
      {
        method: 'POST',
        url: '/services/data/v60.0/sobjects/Contact',
        referenceId: 'c',
        body: { LastName: 'Composed', AccountId: '@{a.id}' },
      },
      { method: 'GET', url: '/services/data/v60.0/sobjects/Contact/@{c.id}?fields=AccountId', referenceId: 'r' },
    ],
  });
  const [a, , r] = answer.compositeResponse;
  assert.equal(r.body.AccountId, a.body.id);
});
step('loads and queries by Bulk API 2.0', async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ LastName: `Bulk "${i}"`, Company: 'Bulk, Inc' }));
  const results = await conn.bulk2.loadAndWaitForResults({
    object: 'Lead',
    operation: 'insert',
    input: [...rows, { Company: 'No last name' }],
    pollInterval: 50,
    pollTimeout: 20_000,
  });
  assert.equal(results.successfulResults.length, 20);
  assert.equal(results.failedResults.length, 1);
  assert.match(results.failedResults[0].sf__Error, /REQUIRED_FIELD_MISSING/);
  const stream = await conn.bulk2.query("SELECT Id, LastName FROM Lead WHERE Company = 'Bulk, Inc'", {
    pollInterval: 50,
    pollTimeout: 20_000,
  });
  const found = await stream.toArray();
  assert.equal(found.length, 20);
  assert.ok(found.some((each) => each.LastName === 'Bulk "7"'));
});
step('searches', async () => {
  const { searchRecords } = await conn.search('FIND {United} IN ALL FIELDS RETURNING Account(Id, Name), Contact(Id)');
  assert.ok(searchRecords.some((each) => each.attributes.type === 'Account'));
});
step('signs out', async () => {
  await conn.logout();
});
await play();
