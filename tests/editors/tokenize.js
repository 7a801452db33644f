// Prints the tokens of a rule file, line by line, as Visual Studio Code's own engine sees them.
"use strict";

const { readFileSync } = require("fs");
const onig = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

async function main([grammar, file]) {
  const wasm = readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await onig.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new onig.OnigScanner(patterns),
      createOnigString: (text) => new onig.OnigString(text),
    }),
    loadGrammar: async () => textmate.parseRawGrammar(readFileSync(grammar, "utf8"), grammar),
  });
  const rules = await registry.loadGrammar("source.sync");
  let state = textmate.INITIAL;
  const lines = readFileSync(file, "utf8").split("\n").map((line) => {
    const read = rules.tokenizeLine(line, state);
    state = read.ruleStack;
    return read.tokens.map((token) => [token.startIndex, token.endIndex, token.scopes.at(-1)]);
  });
  console.log(JSON.stringify(lines));
}

main(process.argv.slice(2));
