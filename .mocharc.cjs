// No `spec` here: mocha would add it to the files named on the command line.
const loader = process.features.typescript ? [] : ['import=tsx'];
module.exports = {
  'node-option': [...loader, 'conditions=@cairn/source'],
  extension: ['test.ts'],
  recursive: true,
  // Ends what hangs. A limit that fits a test would measure the machine it runs on.
  timeout: (process.env.CAIRN_SOAK ? 120 : 5) * 60_000,
  forbidOnly: Boolean(process.env.CI),
};
