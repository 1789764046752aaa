// An app on Probot: ready when it is loaded and constructed.
import { Probot } from "probot";

const app = new Probot({ appId: 1, privateKey: "unused", secret: "kept between GitHub and us" });
app.on("issues.labeled", () => {});
process.stdout.write("ready\n");
