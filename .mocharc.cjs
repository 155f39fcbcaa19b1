// No `spec` here: mocha would add it to the files named on the command line.
// With tsx, mocha would `require` the tests: modules become CommonJS then, whose every use of an import
// goes through a getter (a fifth more CPU time over our packages), and those with a top-level `await`
// load all they import a second time. Without that way it imports them, as programs do.
const loader = process.features.typescript ? [] : ['import=tsx', 'no-experimental-require-module'];
module.exports = {
  // Steps live for minutes and make much that dies young: with room for it, a tenth less CPU time.
  'node-option': [...loader, 'conditions=@cairn/source', 'max-semi-space-size=64'],
  extension: ['test.ts'],
  recursive: true,
  // Ends what hangs. A limit that fits a test would measure the machine it runs on.
  timeout: (process.env.CAIRN_SOAK ? 120 : 5) * 60_000,
  forbidOnly: Boolean(process.env.CI),
};
