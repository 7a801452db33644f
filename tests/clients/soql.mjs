// Reads queries, a JSON text a line, and says of each what two parsers make of it.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { parseQuery } from '@jetstreamapp/soql-parser-js';

const { SOQLParser } = createRequire(import.meta.url)('@salesforce/soql-common/lib/soql-parser');
const salesforce = SOQLParser({ isApex: false, isMultiCurrencyEnabled: false, apiVersion: 60 });

const toJetstream = (query) => {
  try {
    parseQuery(query);
    return null;
  } catch (error) {
    return String(error.message);
  }
};
const toSalesforce = (query) => {
  const found = salesforce.parseQuery(query);
  return found.getSuccess() ? null : found.getParserErrors().map((each) => each.getMessage()).join('; ');
};
for await (const line of createInterface({ input: process.stdin })) {
  const query = JSON.parse(line);
  console.log(JSON.stringify({ query, one: toJetstream(query), two: toSalesforce(query) }));
}
