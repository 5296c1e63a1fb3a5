/** Loaded by `node --import`: after FAULT_CLOCK's `after` ms the process's wall clock jumps by its `by` ms. */
const { after, by } = JSON.parse(process.env.FAULT_CLOCK);
const RealDate = Date;
const begun = performance.now();
const offset = () => (performance.now() - begun > after ? by : 0);

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(RealDate.now() + offset());
    else super(...args);
  }
  static now() {
    return RealDate.now() + offset();
  }
};
