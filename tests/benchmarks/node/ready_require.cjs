// The same with `require` where a library allows it, which is the faster way to load the SDK.
const { SFNClient } = require("@aws-sdk/client-sfn");

new SFNClient({ region: "eu-central-1" });
import("@octokit/webhooks").then(({ Webhooks }) => {
  new Webhooks({ secret: "kept between GitHub and us" });
  process.stdout.write("ready\n");
});
