// Errors that nobody catches: they are shown with the place in the app's own
// files, and end the process.
(function (ekko) {
  'use strict';
  const { host } = ekko;

  const rejected = new Map();

  // lenient has a promise that nobody waits for told in another way when it is
  // rejected.
  const lenient = new WeakMap();
  ekko.lenient = (promise, tell) => {
    lenient.set(promise, tell);
    return promise;
  };

  // The engine calls this in the middle of settling a promise.
  globalThis.__ekko_track = (promise, reason, handled) => {
    if (handled) rejected.delete(promise);
    else rejected.set(promise, reason);
  };

  // forgive takes out what is told in another way. The engine leaves a
  // promise of its own behind when a module without await throws.
  ekko.forgive = (error) => {
    for (const [promise, reason] of rejected) if (reason === error) rejected.delete(promise);
  };

  ekko.checkRejections = () => {
    while (rejected.size > 0 && !ekko.leaving) {
      const [[promise, reason]] = rejected;
      rejected.delete(promise);
      ekko.again();
      if (lenient.has(promise)) {
        lenient.get(promise)(reason);
      } else if (ekko.process.listenerCount('unhandledRejection') > 0) {
        ekko.guard(() => ekko.process.emit('unhandledRejection', reason, promise));
      } else {
        ekko.uncaught(reason, 'unhandledRejection');
      }
    }
  };

  // uncaught takes an error that reached the bottom of a task.
  ekko.uncaught = (error, origin = 'uncaughtException') => {
    if (ekko.process.listenerCount('uncaughtException') === 0) return ekko.fatal(error);
    try {
      ekko.process.emit('uncaughtException', error, origin);
    } catch (second) {
      ekko.fatal(second);
    }
  };

  // fatal shows the error and ends the process.
  let dying = false;
  ekko.fatal = (error) => {
    if (!dying) {
      dying = true;
      host.write(2, `Uncaught ${describe(error)}\n`);
    }
    ekko.exit(1);
  };

  function describe(error) {
    try {
      // All that the engine can throw when there is no memory for an error.
      if (error === null) return 'null: is the memory limit reached?';
      return ekko.inspect(error, { colors: ekko.process.stderr.hasColors() });
    } catch {
      return 'error that cannot be shown: is the memory limit reached?';
    }
  }
})
