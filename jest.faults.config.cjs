// The long forms of the fault tests: `npm run faults` (scripts/faults.cjs). The suite runs their short forms.
module.exports = {
  ...require('./jest.config.cjs'),
  testMatch: ['**/faults/*.fault.ts'],
  testTimeout: 7_200_000,
  maxWorkers: 1,
};
