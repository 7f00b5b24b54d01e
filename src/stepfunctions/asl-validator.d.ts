/** asl-validator 4 ships no types; this is the part that is used. It writes into the definition it is given. */
declare module 'asl-validator' {
  interface Verdict {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  }
  export default function validate(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): Verdict;
}
