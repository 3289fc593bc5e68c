/** What every answer forbids browsers to do with it. The only file that knows `helmet`. */
import helmet from 'helmet';

export const securityHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  strictTransportSecurity: false,
  // Browsers start a process of its own for a page that asks for it: a third of the time to the first paint.
  crossOriginOpenerPolicy: false,
  // With none at all, browsers would send `Origin: null` with our own forms.
  referrerPolicy: { policy: 'same-origin' },
});
