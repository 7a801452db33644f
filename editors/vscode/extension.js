// Starts the language server of Crosswalk for `.sync` files; all that is known of rules is in there.
"use strict";

const { commands, window, workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function activate(context) {
  context.subscriptions.push(
    commands.registerCommand("crosswalk.restart", restart),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("crosswalk.path")) restart();
    }),
  );
  return start();
}

function deactivate() {
  return stop();
}

async function restart() {
  await stop();
  await start();
}

async function start() {
  const command = program();
  client = new LanguageClient(
    "crosswalk",
    "Crosswalk",
    { command, args: ["lsp"] },
    {
      documentSelector: [
        { scheme: "file", language: "sync" },
        { scheme: "untitled", language: "sync" },
      ],
    },
  );
  try {
    await client.start();
  } catch (error) {
    await complain(command, error);
  }
}

async function stop() {
  const stopping = client;
  client = undefined;
  try {
    await stopping?.stop();
  } catch {
    // It never ran, or is gone already: either way there is nothing to stop.
  }
}

function program() {
  const path = workspace.getConfiguration("crosswalk").get("path") || "crosswalk";
  const folder = workspace.workspaceFolders?.[0]?.uri.fsPath ?? "";
  return path.replaceAll("${workspaceFolder}", folder);
}

async function complain(command, error) {
  const choice = await window.showErrorMessage(
    `Crosswalk could not be started as \`${command}\`: ${error.message ?? error}`,
    "Open Settings",
  );
  if (choice) await commands.executeCommand("workbench.action.openSettings", "crosswalk.path");
}

module.exports = { activate, deactivate };
