import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Times are ISO 8601 in UTC with milliseconds, so that their order as text is their order in time.
 * Every image passes both states, whether RenderImage or RenderPyramid makes its pixels.
 */
const span = `
  SELECT
    min(time) FILTER (WHERE type = 'TaskStateEntered' AND details ->> 'name' = 'PlanPyramid') AS planned,
    max(time) FILTER (WHERE type = 'TaskStateExited' AND details ->> 'name' = 'PublishTiff') AS published
  FROM events`;

/**
 * Seconds from the start of the first PlanPyramid to the end of the last PublishTiff, by the
 * histories of all executions in a workspace. Throws when the workspace has no database, or its
 * histories lack one of the states.
 */
export function pipelineSeconds(workspace: string): number {
  const file = path.join(workspace, 'stepwell.db');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const { planned, published } = database.prepare(span).get() ?? {};
    if (typeof planned !== 'string' || typeof published !== 'string') {
      throw new Error(`Expected executions with PlanPyramid and PublishTiff in ${file}`);
    }
    return (Date.parse(published) - Date.parse(planned)) / 1000;
  } finally {
    database.close();
  }
}
