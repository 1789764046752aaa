import "./libraries.mjs";

process.stdout.write("ready\n");
