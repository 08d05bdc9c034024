// The peer is this package, with its defaults: the service is found by name, and
// each call has its deadline.
import { checkObject } from '../../../bench/node/payload.js';
import { connect } from '../../index.js';

export async function dial(name) {
  const service = await connect(name);
  return {
    service,
    prepare: JSON.parse,
    call: async (sent) => checkObject(sent, await service.echo(sent)),
  };
}
