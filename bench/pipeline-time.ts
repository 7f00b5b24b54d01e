import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const entered = { type: 'TaskStateEntered', state: 'PlanPyramid' };
const exited = { type: 'TaskStateExited', state: 'PublishTiff' };

interface Line {
  readonly event?: {
    readonly type: string;
    readonly timestamp: number;
    readonly stateEnteredEventDetails?: { readonly name: string };
    readonly stateExitedEventDetails?: { readonly name: string };
  };
}

/**
 * Seconds from the first execution's plan to the last one's publication, by the histories that a workspace keeps. Undefined
 * when it has none.
 */
export async function pipelineSeconds(workspace: string): Promise<number | undefined> {
  const folder = path.join(workspace, 'executions');
  const names = existsSync(folder) ? await readdir(folder) : [];
  let first = Infinity;
  let last = -Infinity;
  for (const name of names.filter((each) => each.endsWith('.jsonl'))) {
    for (const text of (await readFile(path.join(folder, name), 'utf8')).split('\n')) {
      if (!text.includes(entered.state) && !text.includes(exited.state)) continue;
      const { event } = JSON.parse(text) as Line;
      if (!event) continue;
      const { type, timestamp, stateEnteredEventDetails, stateExitedEventDetails } = event;
      if (type === entered.type && stateEnteredEventDetails?.name === entered.state) first = Math.min(first, timestamp);
      if (type === exited.type && stateExitedEventDetails?.name === exited.state) last = Math.max(last, timestamp);
    }
  }
  return last > first ? (last - first) / 1000 : undefined;
}
