// What GANTRY_PLUGINS loads: every definition that is exported here becomes a job kind.
export { setPrices } from './setPrices';
export { setUpShop } from './setUpShop';
