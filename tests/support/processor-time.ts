/** Processor time of work in this process: unlike elapsed time, other processes do not add to it. */

export async function processorMilliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}
