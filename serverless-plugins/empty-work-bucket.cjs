'use strict';

/**
 * Empties the work bucket before `serverless remove` deletes the stack: CloudFormation does not
 * delete a bucket with objects. The bucket holds intermediate objects only. Nothing is deleted while
 * executions are running, because they would write further objects, and nothing if the stack is
 * protected against deletion, which the framework reports.
 */

const {
  CloudFormationServiceException,
  DescribeStacksCommand,
  paginateListStackResources,
} = require('@aws-sdk/client-cloudformation');
const { DeleteObjectsCommand, paginateListObjectsV2, S3Client } = require('@aws-sdk/client-s3');
const { ListExecutionsCommand, SFNClient } = require('@aws-sdk/client-sfn');

class EmptyWorkBucket {
  constructor(serverless, _options, { log } = {}) {
    this.serverless = serverless;
    this.log = log;
    this.hooks = { 'before:remove:remove': () => this.empty() };
  }

  async empty() {
    const provider = this.serverless.getProvider('aws');
    const config = await provider.getAwsSdkV3Config();
    const resources = await removableResources(
      await provider.getCloudFormationClient(),
      provider.naming.getStackName(),
    );
    const machine = resources.get('PyramidStateMachine');
    if (machine !== undefined) await this.assertIdle(new SFNClient(config), machine);
    const bucket = resources.get('WorkBucket');
    if (bucket !== undefined) await this.deleteObjects(new S3Client(config), bucket);
  }

  async assertIdle(client, stateMachineArn) {
    const { executions } = await client.send(
      new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 100 }),
    );
    if (executions.length === 0) return;
    const count = executions.length === 100 ? '100 or more' : executions.length;
    throw this.error(
      `Expected no running executions of ${stateMachineArn} but received ${count}, such as ${executions[0].name}. ` +
        'Wait for them, or stop each of them: aws stepfunctions stop-execution --execution-arn ARN',
    );
  }

  async deleteObjects(client, Bucket) {
    const { decodeListedKey } = await import('../src/storage/s3/requests.ts');
    let count = 0;
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, EncodingType: 'url' })) {
      if (Contents.length === 0) continue;
      const Objects = Contents.map(({ Key }) => ({ Key: decodeListedKey(Key) }));
      const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
      const [first] = Errors;
      if (first) {
        throw this.error(
          `Expected to delete ${Objects.length} objects of the work bucket ${Bucket} but ${Errors.length} remain: ` +
            `${first.Key}: ${first.Code} ${first.Message ?? ''}`.trimEnd(),
        );
      }
      count += Objects.length;
    }
    this.log?.notice(`Deleted ${count} intermediate objects of the work bucket ${Bucket}`);
  }

  error(message) {
    return new this.serverless.classes.Error(message);
  }
}

/**
 * Physical ids of the stack's resources by logical id; none if there is no stack, or if it is
 * protected.
 */
async function removableResources(client, StackName) {
  const found = new Map();
  try {
    const { Stacks = [] } = await client.send(new DescribeStacksCommand({ StackName }));
    if (Stacks.some(({ EnableTerminationProtection }) => EnableTerminationProtection)) return found;
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName })) {
      for (const { LogicalResourceId, PhysicalResourceId, ResourceStatus } of StackResourceSummaries) {
        if (PhysicalResourceId && ResourceStatus !== 'DELETE_COMPLETE')
          found.set(LogicalResourceId, PhysicalResourceId);
      }
    }
  } catch (error) {
    if (!isMissingStack(error)) throw error;
  }
  return found;
}

function isMissingStack(error) {
  return (
    error instanceof CloudFormationServiceException &&
    error.name === 'ValidationError' &&
    error.message.includes('does not exist')
  );
}

module.exports = EmptyWorkBucket;
