/**
 * The progress of an execution's runs, from which a redrive continues without repeating completed
 * work.
 */
import type { StoredEvent } from './history.ts';

/** By scope, see `ScopeMark`. */
export interface RecoveredScopes {
  /** The last state that a run entered, and its input (JSON text). */
  readonly entered: Map<string, { readonly state: string; readonly input: string }>;
  /** Output (JSON text) of every iteration or branch that succeeded. */
  readonly outputs: Map<string, string>;
}

export function nothingRecovered(): RecoveredScopes {
  return { entered: new Map(), outputs: new Map() };
}

/** Reads the marks of a history, oldest event first. */
export function recoverScopes(events: Iterable<StoredEvent>): RecoveredScopes {
  const recovered = nothingRecovered();
  for (const { mark, details } of events) {
    if (!mark) continue;
    const { scope, kind } = mark;
    const text = (name: 'input' | 'name' | 'output'): string => {
      const value = details?.[name];
      return typeof value === 'string' ? value : '';
    };
    if (kind === 'restarted') forgetGroup(recovered, scope);
    else if (kind === 'ended') recovered.outputs.set(scope, text('output'));
    else recovered.entered.set(scope, { state: text('name'), input: text('input') });
  }
  return recovered;
}

/** Deletes the progress of the iterations or branches of a Map or Parallel. */
export function forgetGroup({ entered, outputs }: RecoveredScopes, group: string): void {
  for (const known of [entered, outputs]) {
    for (const scope of known.keys()) {
      if (scope.startsWith(`${group}#`)) known.delete(scope);
    }
  }
}
