// What a webhook in Node loads and constructs before it can take a delivery, as ES modules.
import { SFNClient } from "@aws-sdk/client-sfn";
import { Webhooks } from "@octokit/webhooks";

export const webhooks = new Webhooks({ secret: "kept between GitHub and us" });
export const states = new SFNClient({ region: "eu-central-1", endpoint: process.env.AWS_ENDPOINT_URL });
