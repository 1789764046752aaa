// Reads commits' messages as JSON and tells what release tools find in them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const modules = `${process.argv[2]}/node_modules`;
const { parser } = createRequire(`${modules}/`)("@conventional-commits/parser");
const { CommitParser } = await import(`${modules}/conventional-commits-parser/dist/index.js`);

const reader = new CommitParser({
  noteKeywords: ["BREAKING CHANGE", "BREAKING-CHANGE"],
  headerPattern: /^(\w*)(?:\((.*)\))?!?: (.*)$/,
  breakingHeaderPattern: /^(\w*)(?:\((.*)\))?!: (.*)$/,
  headerCorrespondence: ["type", "scope", "subject"],
});

function tokens(message) {
  let tree = "";
  try {
    tree = JSON.stringify(parser(message));
  } catch {
    return []; // It is no conventional commit.
  }
  return [...tree.matchAll(/"type":"(breaking-change|token)","children":\[(.*?)\]/g)].map((found) => found[0]);
}

const found = JSON.parse(readFileSync(0, "utf8")).map((message) => {
  const { notes, references } = reader.parse(message);
  return { notes, references, tokens: tokens(message) };
});
process.stdout.write(JSON.stringify(found));
