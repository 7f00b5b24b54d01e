import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ServiceUnavailableError } from '../errors.ts';
import type { Notifier } from './notifier.ts';

/** Puts events `Pyramid Published` of the source `stepwell` on an EventBridge bus. */
export function eventBridgeNotifier(client: EventBridgeClient, eventBusName: string): Notifier {
  return {
    async published(image) {
      const answer = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: eventBusName,
              Source: 'stepwell',
              DetailType: 'Pyramid Published',
              Detail: JSON.stringify(image),
            },
          ],
        }),
      );
      const refused = answer.Entries?.find((entry) => entry.ErrorCode !== undefined);
      if (refused) throw new ServiceUnavailableError(`EventBridge refused the notification: ${refused.ErrorMessage}`);
    },
  };
}
