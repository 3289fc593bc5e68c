import { existsSync } from 'node:fs';
import { loadConfigApart } from '../apart/config.ts';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log.ts';
import { ServiceManager } from '../service-manager.ts';
import { configPath, DEFAULT_CONFIG } from './config-path.ts';
import { stopped } from './stopped.ts';
import { EXIT, type RunVerb, textOption } from './verb.ts';

export const run: RunVerb = async (io, args, options) => {
  if (textOption(options, 'config') === undefined && !existsSync(DEFAULT_CONFIG)) {
    io.err(`no config is given and there is none at ${DEFAULT_CONFIG}: serving the simulated demo site\n`);
    const demo = await import('./demo.ts');
    return await demo.run(io, args, options);
  }
  const path = configPath(options);
  // The config is read by another process meanwhile.
  const [loaded, { startDaemon }] = await Promise.all([loadConfigApart(path, io.env), import('../daemon.ts')]);
  const log = createLogger(loaded.config.log.level);
  for (const { path: setting, message } of loaded.warnings)
    log.warn('a setting should be looked at', { setting, message });
  const daemon = await startDaemon({
    loaded,
    reread: () => loadConfigApart(path, io.env),
    clock: systemClock,
    log,
    demo: false,
  });
  const hangUp = () => void daemon.reload();
  process.on('SIGHUP', hangUp);
  const manager = new ServiceManager(io.env);
  manager.ready(`watching ${loaded.config.site.id} at ${daemon.url}`);
  await stopped(io);
  manager.stopping();
  process.off('SIGHUP', hangUp);
  await daemon.stop();
  return EXIT.done;
};
