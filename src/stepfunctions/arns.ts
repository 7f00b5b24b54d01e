/** The account and region in the ARNs of the embedded engine. */
export const account = '000000000000';
export const region = 'us-east-1';
