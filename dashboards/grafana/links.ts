/** Addresses of the boards, as links in tables: a row's columns choose what the other board shows. */

/** A reference that Grafana fills in. */
export function reference(name: string): string {
  return `\${${name}}`;
}

const COMMON = `var-datasource=${reference('datasource')}&${reference('__url_time_range')}`;

/** To the board of the row's site. */
export function toSite(): string {
  return `/d/siteward-site?${COMMON}&${row('client', 'site')}`;
}

/** To the board of the row's device, which is that of its class. */
export function toDevice(): string {
  return toDeviceOf(`siteward-device-${column('Class')}`);
}

/** To the board of a device, whose class the table does not show. */
export function toDeviceOf(board: string): string {
  return `/d/${board}?${COMMON}&${row('client', 'site', 'device')}`;
}

function row(...variables: readonly ('client' | 'site' | 'device')[]): string {
  const titles = { client: 'Client', site: 'Site', device: 'Device' } as const;
  return variables.map((name) => `var-${name}=${column(titles[name])}`).join('&');
}

function column(title: string): string {
  return reference(`__data.fields["${title}"]:percentencode`);
}
