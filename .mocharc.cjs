// No `spec` here: mocha would add it to the files named on the command line.
const loader = process.features.typescript ? [] : ['import=tsx'];
module.exports = {
  'node-option': [...loader, 'conditions=@cairn/source'],
  extension: ['test.ts'],
  recursive: true,
  timeout: 10_000,
  forbidOnly: Boolean(process.env.CI),
};
