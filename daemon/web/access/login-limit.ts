/** Slows guessing of passwords down. The only file that knows `express-rate-limit`. */
import type { RateLimitExceededEventHandler, RateLimitRequestHandler } from 'express-rate-limit';

const WINDOW = 5 * 60_000;
const WRONG_LOGINS = 10;

/**
 * Lets a source (an address, or a /56 of IPv6) be wrong ten times in five minutes, and then turns it away before a
 * password is looked at. Logins that succeed do not count. What does it is loaded by the first login.
 */
export function loginLimit(handler: RateLimitExceededEventHandler) {
  let limit: Promise<RateLimitRequestHandler> | undefined;
  return async (...login: Parameters<RateLimitRequestHandler>): Promise<void> => {
    limit ??= makeLimit(handler);
    await (await limit)(...login);
  };
}

async function makeLimit(handler: RateLimitExceededEventHandler): Promise<RateLimitRequestHandler> {
  const { rateLimit } = await import('express-rate-limit');
  return rateLimit({
    windowMs: WINDOW,
    limit: WRONG_LOGINS,
    skipSuccessfulRequests: true,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    handler,
    requestWasSuccessful: (_request, response) => response.statusCode < 400,
    validate: { trustProxy: false, xForwardedForHeader: false, forwardedHeader: false },
  });
}
