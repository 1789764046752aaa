// Works with a Jira through jira.js, a client of Jira Cloud, which throws where an answer is not as
// Atlassian's OpenAPI document has it. Prints what it saw as JSON.
// usage: AUDIT_SCHEMAS=true node client.mjs <node_modules> <url> <email> <token> <project>
import { pathToFileURL } from 'node:url';

const [modules, host, email, apiToken, project] = process.argv.slice(2);
const from = path => import(pathToFileURL(`${modules}/${path}`).href);
const { createCloudClient } = await from('jira.js/dist/cloud/index.js');
const { getCollectedSchemaDrift } = await from('jira.js/dist/core/schemaAudit.js');
const client = token =>
  createCloudClient({ host, auth: { type: 'basic', email, apiToken: token }, onSchemaMismatch: 'throw' });
const jira = client(apiToken);
const text = words => ({
  type: 'doc', version: 1, content: [{ type: 'paragraph', content: [{ type: 'text', text: words }] }],
});

const me = await jira.myself.getCurrentUser();
const groups = await jira.users.getUserGroups({ accountId: me.accountId });
const { key: issueIdOrKey } = await jira.issues.createIssue({
  fields: { project: { key: project }, issuetype: { name: 'Task' }, summary: 'From a client', description: text('Text') },
});
await jira.issues.editIssue({ issueIdOrKey, update: { labels: [{ add: 'claude-dev' }] } });
const issue = await jira.issues.getIssue({ issueIdOrKey, expand: 'changelog' });
const changes = await jira.issues.getChangeLogs({ issueIdOrKey });
const comment = await jira.issueComments.addComment({
  issueIdOrKey, body: text('Begun'), properties: [{ key: 'session', value: 1 }],
});
await jira.issueComments.updateComment({ issueIdOrKey, id: comment.id, body: { body: text('Done') } });
const property = await jira.issueCommentProperties.getCommentProperty({
  commentId: comment.id, propertyKey: 'session',
});
const comments = await jira.issueComments.getComments({ issueIdOrKey });
const link = { issueIdOrKey, globalId: 'x#1', object: { url: 'https://example.com/1', title: 'One' } };
const links = [
  await jira.issueRemoteLinks.createOrUpdateRemoteIssueLink(link),
  await jira.issueRemoteLinks.createOrUpdateRemoteIssueLink(link),
];
const permissions = await jira.permissions.getMyPermissions({ projectKey: project, permissions: 'LINK_ISSUES' });
const refused = await client('wrong').myself.getCurrentUser().catch(error => error.status ?? error.name);
console.log(JSON.stringify({
  email: me.emailAddress,
  groups: groups.map(group => group.name),
  labels: issue.fields.labels,
  changes: changes.values.map(change => change.items[0].toString),
  comments: comments.comments.map(it => it.body.content[0].content[0].text),
  property: property.value,
  links: new Set(links.map(it => it.id)).size,
  permitted: permissions.permissions.LINK_ISSUES.havePermission,
  refused,
  drift: getCollectedSchemaDrift(),
}));
