// nforce, unchanged.
const assert = require('node:assert/strict');
const nforce = require('nforce');

const given = JSON.parse(process.env.SANDBOX);
const org = nforce.createConnection({
  clientId: given.client_id,
  clientSecret: given.client_secret,
  redirectUri: 'http://127.0.0.1:9/callback',
  loginUri: `${given.url}/services/oauth2/token`,
  apiVersion: 'v60.0',
  mode: 'single',
  autoRefresh: true,
});
const steps = {
  'signs in by OAuth user name and password': () =>
    org.authenticate({ username: given.username, password: given.password, securityToken: given.security_token }),
  'queries': async () => {
    const { records } = await org.query({ query: 'SELECT Id, Name FROM Lead ORDER BY Name LIMIT 2' });
    assert.equal(records.length, 2);
    assert.ok(records[0].get('name'));
  },
  'inserts, reads, updates and deletes': async () => {
    const lead = nforce.createSObject('Lead', { LastName: 'Nforce', Company: 'Force' });
    const { id } = await org.insert({ sobject: lead });
    const read = await org.getRecord({ type: 'Lead', id });
    assert.equal(read.get('lastname'), 'Nforce');
    read.set('Title', 'Chief');
    const changed = nforce.createSObject('Lead', { Id: id, Title: 'Chief' });
    await org.update({ sobject: changed });
    await org.delete({ sobject: changed });
    await assert.rejects(org.getRecord({ type: 'Lead', id }));
  },
  'describes': async () => {
    assert.ok((await org.getSObjects()).sobjects.length > 5);
    assert.equal((await org.getDescribe({ type: 'Lead' })).name, 'Lead');
  },
  'is refused a bad query': () => assert.rejects(org.query({ query: 'SELECT Id FORM Lead' })),
  'reads limits': async () => {
    assert.ok((await org.getLimits()).DailyApiRequests.Max > 0);
  },
};
(async () => {
  for (const [name, run] of Object.entries(steps)) {
    try {
      await run();
      console.log(JSON.stringify({ name, error: null }));
    } catch (error) {
      console.log(JSON.stringify({ name, error: String(error?.stack ?? error) }));
    }
  }
})();
