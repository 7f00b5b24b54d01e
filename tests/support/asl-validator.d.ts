/**
 * The part of asl-validator 4 that tests use; it ships no types. It writes into the definition that
 * it is given.
 */
declare module 'asl-validator' {
  interface AslValidation {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  }
  export default function validate(
    definition: object,
    options?: { readonly checkPaths?: boolean; readonly checkArn?: boolean },
  ): AslValidation;
}
