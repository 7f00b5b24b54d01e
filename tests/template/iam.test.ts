import { expect, test } from '@jest/globals';
import { RolePolicy } from '../support/iam.ts';
import type { Template } from '../support/packaged-template.ts';

function policyOf(...statements: object[]): RolePolicy {
  const Policies = [{ PolicyName: 'step', PolicyDocument: { Statement: statements } }];
  const Properties = { AssumeRolePolicyDocument: {}, Policies };
  const template: Template = {
    Parameters: {},
    Conditions: {},
    Resources: { Role: { Type: 'AWS::IAM::Role', Properties } },
    Outputs: {},
  };
  return new RolePolicy(template, 'Role', { 'Work.Arn': 'arn:aws:s3:::work' });
}
const read = {
  Sid: 'Read',
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:List*'],
  Resource: { 'Fn::Sub': '${Work.Arn}/*' },
};
const allows = (policy: RolePolicy, action: string, resource: string): boolean =>
  policy.allowing({ action, resource }).length > 0;

test('a policy allows its actions on its resources, with wildcards, and nothing else', () => {
  const policy = policyOf(read);
  expect(allows(policy, 's3:GetObject', 'arn:aws:s3:::work/a/b.tif')).toBe(true);
  expect(allows(policy, 's3:listAnything', 'arn:aws:s3:::work/')).toBe(true);
  expect(allows(policy, 's3:GetObjectVersion', 'arn:aws:s3:::work/a')).toBe(false);
  expect(allows(policy, 's3:GetObject', 'arn:aws:s3:::work')).toBe(false);
  expect(allows(policy, 's3:GetObject', 'arn:aws:s3:::workshop/a')).toBe(false);
});

test('a Deny overrides every Allow', () => {
  const never = { Sid: 'Never', Effect: 'Deny', Action: 's3:Get*', Resource: 'arn:aws:s3:::work/private/*' };
  const policy = policyOf(read, never);
  expect(allows(policy, 's3:GetObject', 'arn:aws:s3:::work/private/a')).toBe(false);
  expect(allows(policy, 's3:GetObject', 'arn:aws:s3:::work/public/a')).toBe(true);
});

test('a reference without a value and a condition are refused', () => {
  expect(() => policyOf({ ...read, Resource: { 'Fn::GetAtt': ['Other', 'Arn'] } })).toThrow('Other.Arn');
  expect(() => policyOf({ ...read, Condition: { Bool: { 'aws:SecureTransport': 'true' } } })).toThrow('no condition');
});
