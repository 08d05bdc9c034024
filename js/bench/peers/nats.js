// The peer is nats.js, request and reply through a NATS server. NATS carries
// bytes: it is given the text of the payload, and nobody parses it.
import { connect } from '@nats-io/transport-node';

import { checkBytes } from '../../../bench/node/payload.js';

export const packageName = '@nats-io/transport-node';

const SUBJECT = 'bench.echo'; // as bench/nats.go has it

export async function dial(address) {
  const connection = await connect({ servers: address });
  return {
    prepare: (text) => Buffer.from(text),
    call: async (sent) => checkBytes(sent, (await connection.request(SUBJECT, sent, { timeout: 30_000 })).data),
  };
}
