// Verifies one delivery and starts its execution at AWS_ENDPOINT_URL.
import { readFileSync } from "node:fs";
import { StartExecutionCommand } from "@aws-sdk/client-sfn";
import { states, webhooks } from "./libraries.mjs";

const { headers, body } = JSON.parse(readFileSync(process.argv[2], "utf8"));
if (!(await webhooks.verify(body, headers["x-hub-signature-256"]))) process.exit(1);
const { issue, repository } = JSON.parse(body);
await states.send(
  new StartExecutionCommand({
    stateMachineArn: process.env.STATE_MACHINE_ARN,
    name: `implement-${issue.number}-${headers["x-github-delivery"]}`,
    input: JSON.stringify({ repository: repository.full_name, issue: issue.number }),
  }),
);
process.stdout.write("ready\n", () => process.exit(0));
