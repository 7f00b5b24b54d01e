import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ServiceUnavailableError } from '../errors.ts';
import type { Notifier } from './notifier.ts';

/** Puts an event `Pyramid Published` from source `stepwell` on a bus, where EventBridge rules can match it. */
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
