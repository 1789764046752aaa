// Prints what Atlassian's OpenAPI document says about requests and answers, as jira.js carries it: that
// client is generated from the document and validates each answer by it. With AUDIT_SCHEMAS its schemas
// take no key that the document does not have.
// usage: AUDIT_SCHEMAS=true node schemas.mjs <node_modules>
import { pathToFileURL } from 'node:url';

const modules = process.argv[2];
const from = path => import(pathToFileURL(`${modules}/${path}`).href);
const { z } = await from('zod/index.js');
const models = await from('jira.js/dist/cloud/models/index.js');
const parts = [
  'issues', 'issueComments', 'issueCommentProperties', 'issueRemoteLinks', 'labels', 'users', 'groups', 'myself',
  'permissions', 'projects',
];
// A comment is a document for version 3 of the API and text for version 2.
const given = body => new Proxy({}, { get: (_, name) => (name === 'body' ? body : `{${String(name)}}`) });
const schema = made => z.toJSONSchema(made, { unrepresentable: 'any', io: 'input' });
const operations = [];
for (const part of parts) {
  for (const call of Object.values(await from(`jira.js/dist/cloud/api/${part}.js`))) {
    const client = {
      sendRequest: config => {
        operations.push({
          method: config.method,
          path: config.url,
          query: Object.keys(config.searchParams ?? {}),
          body: config.body && typeof config.body === 'object' ? Object.keys(config.body) : null,
          answer: config.schema ? schema(config.schema) : null,
        });
      },
    };
    for (const body of ['text', { type: 'doc', version: 1, content: [] }]) {
      try {
        await call(client, given(body));
      } catch (error) {
        // A few calls compute with their parameters; nothing of ours is asked by them.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }
}
const named = ['Issue', 'UserDetails', 'ChangeDetails', 'ErrorCollection'];
console.log(JSON.stringify({
  operations,
  models: Object.fromEntries(named.map(name => [name, schema(models[`${name}Schema`])])),
}));
