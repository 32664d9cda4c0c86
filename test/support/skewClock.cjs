// Preloaded by worker processes whose clock is to be wrong: TEST_CLOCK_SKEW_MS moves Date.
const skewMs = Number(process.env.TEST_CLOCK_SKEW_MS ?? 0);
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(RealDate.now() + skewMs);
    else super(...parts);
  }
  static now() {
    return RealDate.now() + skewMs;
  }
};
