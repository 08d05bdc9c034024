// Intl, which Go has: it sets the global itself.
(function (ekko) {
  'use strict';
  delete globalThis.Intl;
  ekko.host.intl();
  ekko.Intl = globalThis.Intl;
})
