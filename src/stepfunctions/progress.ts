/**
 * A step of an execution, for the progress display. Every step also has the execution's name;
 * `index` is that of an iteration of a Map. The branches of a Parallel report their states without
 * an index.
 */
export type Progress = { readonly execution: string } & ProgressStep;

export type ProgressStep =
  | { readonly kind: 'state-entered'; readonly state: string; readonly index?: number }
  | { readonly kind: 'state-exited'; readonly state: string; readonly index?: number }
  | { readonly kind: 'iteration-started'; readonly state: string; readonly index: number; readonly count: number }
  | { readonly kind: 'iteration-succeeded'; readonly state: string; readonly index: number; readonly count: number }
  | {
      readonly kind: 'task-retried';
      readonly state: string;
      readonly index?: number;
      /** 1 for the first retry. */
      readonly attempt: number;
      readonly error: string;
      readonly cause: string;
    };
