// The Salesforce CLI's own commands, one after the other in one process: it takes seconds to start.
// Logging in by an `sfdx-url` is not tried, since that is https whatever it names.
import { Config } from '@oclif/core';
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { play, step } from './steps.mjs';

const { url, client_id, username, key_file, token, bulk } = JSON.parse(process.env.SANDBOX);
const config = await Config.load(new URL('./node_modules/@salesforce/cli/', import.meta.url).pathname);

/** What a command answers; what it prints is not looked at. */
async function sf(command, ...words) {
  const { write } = process.stdout;
  process.stdout.write = () => true;
  try {
    return await config.runCommand(command.replaceAll(' ', ':'), words);
  } finally {
    process.stdout.write = write;
    process.exitCode = 0;
  }
}

const org = ['--target-org', 'box', '--json'];
const login = ['--instance-url', url, '--alias', 'box', '--json'];
const query = async (soql) => (await sf('data query', '--query', soql, ...org)).records;

const short = {
  'logs in by JWT': async () => {
    const given = ['--client-id', client_id, '--username', username, '--jwt-key-file', key_file];
    const found = await sf('org login jwt', ...given, ...login);
    deepEqual([found.username, found.instanceUrl], [username, url]);
  },
  'creates, updates, reads and deletes a record': async () => {
    const lead = ['--sobject', 'Lead'];
    const values = "LastName=Lee Company='Acme Ltd' Email=cli@edge.com";
    const { id } = await sf('data create record', ...lead, '--values', values, ...org);
    await sf('data update record', ...lead, '--record-id', id, '--values', 'Company=Edge', ...org);
    const found = await sf('data get record', ...lead, '--where', 'Email=cli@edge.com', ...org);
    deepEqual([found.Id, found.Company], [id, 'Edge']);
    await sf('data delete record', ...lead, '--record-id', id, ...org);
    deepEqual(await query("SELECT Id FROM Lead WHERE Email = 'cli@edge.com'"), []);
  },
  'queries through a reference': async () => {
    const [contact] = await query('SELECT Name, Account.Name FROM Contact WHERE AccountId != null LIMIT 1');
    ok(contact.Account.Name);
  },
  'is told of a query that is none': async () => {
    try {
      await query('SELECT Nonsense FROM Lead');
    } catch (error) {
      return ok(String(error.name + error.message).includes('Nonsense'), error.message);
    }
    throw new Error('not refused');
  },
  'describes a type, and lists all': async () => {
    const found = await sf('sobject describe', '--sobject', 'Lead', ...org);
    ok(found.fields.some((field) => field.name === 'Company'));
    ok((await sf('sobject list', ...org)).includes('Opportunity'));
  },
  'shows the org as connected': async () => {
    equal((await sf('org display', ...org)).connectedStatus, 'Connected');
  },
  'shows the limits': async () => {
    const found = await sf('org list limits', ...org);
    ok(found.find((each) => each.name === 'DailyApiRequests').remaining > 0);
  },
  'sends a request of its own': async () => {
    const where = '/services/data/v60.0/sobjects/Lead/describe';
    const found = await sf('api request rest', where, '--target-org', 'box');
    deepEqual([found.statusCode, found.body.name], [200, 'Lead']);
  },
  'logs in by an access token': async () => {
    process.env.SF_ACCESS_TOKEN = token;
    const found = await sf('org login access-token', '--no-prompt', ...login);
    equal(found.username, username);
    ok((await query('SELECT Id FROM Lead LIMIT 1')).length);
  },
};

const file = (name) => join(homedir(), name);
const jobs = {
  'logs in before its jobs': short['logs in by JWT'],
  'imports, exports, upserts and deletes by jobs': async () => {
    const ends = ['--line-ending', 'LF'];
    const lead = ['--sobject', 'Lead', '--wait', '5', ...org];
    writeFileSync(file('in.csv'), 'LastName,Company\nBulk A,Jobs\nBulk B,Jobs\n');
    const made = await sf('data import bulk', '--file', file('in.csv'), ...ends, ...lead);
    deepEqual([made.processedRecords, made.failedRecords], [2, 0]);
    const soql = "SELECT Id, LastName FROM Lead WHERE Company = 'Jobs'";
    const out = ['--output-file', file('out.csv'), '--wait', '5', ...org];
    equal((await sf('data export bulk', '--query', soql, ...out)).totalSize, 2);
    const text = readFileSync(file('out.csv'), 'utf8');
    writeFileSync(file('up.csv'), text.replace('Bulk A', 'Bulk Z'));
    const key = ['--external-id', 'Id', '--file', file('up.csv'), ...ends];
    equal((await sf('data upsert bulk', ...key, ...lead)).jobInfo.state, 'JobComplete');
    deepEqual((await query(soql)).map((each) => each.LastName).sort(), ['Bulk B', 'Bulk Z']);
    const ids = text.split('\n').map((line) => line.split(',')[0]).join('\n');
    writeFileSync(file('del.csv'), ids);
    const gone = await sf('data delete bulk', '--file', file('del.csv'), ...ends, ...lead);
    equal(gone.records.successfulResults.length, 2);
    deepEqual(await query(soql), []);
  },
};

for (const [name, run] of Object.entries(bulk ? jobs : short)) {
  step(name, run);
}
await play();
process.exit();
