import type { Line } from './journal.ts';

/** What a line of an execution's file says beyond its event, so that a redrive repeats nothing that succeeded. */
export interface Note {
  readonly scope: string;
  /** The run of this scope entered a state; its input is in the event. */
  readonly entered?: string;
  /** The run of this scope ended with this output (JSON). */
  readonly output?: string;
  /** The Map or Parallel of this scope began anew. */
  readonly fresh?: boolean;
}

/** How far the runs of every scope came. */
export interface Recovered {
  readonly entered: Map<string, { readonly state: string; readonly input: string }>;
  /** Output (JSON) of every iteration or branch that succeeded. */
  readonly outputs: Map<string, string>;
}

export function nothingRecovered(): Recovered {
  return { entered: new Map(), outputs: new Map() };
}

/** Follows the notes of an execution's file, oldest first. */
export function recover(lines: Iterable<Line>): Recovered {
  const recovered = nothingRecovered();
  for (const { event, note } of lines) {
    if (!note) continue;
    if (note.fresh) forgetBelow(recovered, note.scope);
    if (note.output !== undefined) recovered.outputs.set(note.scope, note.output);
    const input = event?.['stateEnteredEventDetails']?.['input'];
    if (note.entered !== undefined && typeof input === 'string') {
      recovered.entered.set(note.scope, { state: note.entered, input });
    }
  }
  return recovered;
}

/** Forgets what ran inside a Map or Parallel, which starts anew. */
export function forgetBelow({ entered, outputs }: Recovered, path: string): void {
  for (const known of [entered, outputs]) {
    for (const scope of known.keys()) {
      if (scope.startsWith(`${path}#`)) known.delete(scope);
    }
  }
}
