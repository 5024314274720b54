import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { GetParameterCommand, ParameterNotFound, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { Stage } from './setup.ts';

/** A stage in whatever account the AWS settings of this shell name: keys, a profile, single sign-on. */
export function stageOnAws(stack: string, parameter: string, region: string): Stage {
  const ssm = new SSMClient({ region });
  const cloudFormation = new CloudFormationClient({ region });
  return {
    url: async () => {
      const described = await cloudFormation
        .send(new DescribeStacksCommand({ StackName: stack }))
        .catch(unless((error) => error.name === 'ValidationError'));
      return described?.Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === 'Webhooks')?.OutputValue;
    },
    readKey: async () => {
      const found = await ssm
        .send(new GetParameterCommand({ Name: parameter, WithDecryption: true }))
        .catch(unless((error) => error instanceof ParameterNotFound));
      return found?.Parameter?.Value;
    },
    writeKey: async (key) => {
      const secure = { Name: parameter, Value: key, Type: 'SecureString', Overwrite: true } as const;
      await ssm.send(new PutParameterCommand(secure));
    },
  };
}

/** What is not there is an answer; anything else, such as a missing permission, is not. */
function unless(isAbsence: (error: Error) => boolean) {
  return (error: unknown): undefined => {
    if (!(error instanceof Error) || !isAbsence(error)) throw error;
  };
}
