/** Executions on AWS Step Functions. */
import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  RedriveExecutionCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { UsageError } from '../errors.ts';
import { callService } from '../service-errors.ts';
import type { Executions } from './executions.ts';

/** Functions that do not start executions pass undefined as the ARN of the state machine. */
export function sfnExecutions(client: SFNClient, stateMachineArn: string | undefined): Executions {
  const arnOf = (name: string): string => `${given(stateMachineArn).replace(':stateMachine:', ':execution:')}:${name}`;
  return {
    arnOf,

    /**
     * While an execution runs, StartExecution with the same name and input returns the same
     * response as the first time; for 90 days after its end it fails with ExecutionAlreadyExists
     * (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
     */
    async start(name, input) {
      try {
        const command = new StartExecutionCommand({ stateMachineArn: given(stateMachineArn), name, input });
        const { executionArn } = await callService('Step Functions', () => client.send(command));
        return executionArn ?? arnOf(name);
      } catch (error) {
        if (error instanceof ExecutionAlreadyExists) return arnOf(name);
        throw error;
      }
    },

    async describe(executionArn) {
      const command = new DescribeExecutionCommand({ executionArn });
      const { status, error, cause } = await callService('Step Functions', () => client.send(command));
      return { status: status ?? 'UNKNOWN', error, cause };
    },

    async redrive(executionArn) {
      await callService('Step Functions', () => client.send(new RedriveExecutionCommand({ executionArn })));
    },
  };
}

function given(stateMachineArn: string | undefined): string {
  if (stateMachineArn !== undefined) return stateMachineArn;
  throw new UsageError('Expected an ARN for STATE_MACHINE_ARN but received nothing');
}
