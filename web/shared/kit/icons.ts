// Our own line icons, 20 x 20.
export const paths: Record<string, string> = {
  today: 'M3 9l7-6 7 6v8H3z M8 17v-5h4v5', alarm: 'M10 3l8 14H2z M10 8v4 M10 14.5v.5', case: 'M5 3h10v14H5z M8 7h4 M8 10h4 M8 13h2',
  device: 'M6 6h8v8H6z M8 2v4 M12 2v4 M8 14v4 M12 14v4 M2 8h4 M2 12h4 M14 8h4 M14 12h4', visit: 'M8 9a3 3 0 100-6 3 3 0 000 6z M2 17c0-4 3-6 6-6s6 2 6 6 M15 8h4 M17 6l2 2-2 2',
  place: 'M3 17V7l5-4 5 4v10z M13 9h4v8h-4 M6 9h1 M9 9h1 M6 12h1 M9 12h1', person: 'M10 9a3 3 0 100-6 3 3 0 000 6z M3 17c0-4 3-6 7-6s7 2 7 6',
  badge: 'M4 4h12v12H4z M10 10a2 2 0 100-4 2 2 0 000 4z M6.500 14c.5-2 2-2.500 3.500-2.500s3 .5 3.500 2.500', key: 'M7 13a4 4 0 110-6 4 4 0 010 6z M10 10h8 M15 10v3',
  rule: 'M3 5h14 M3 10h14 M3 15h14 M7 3v4 M13 8v4 M9 13v4', model: 'M4 4h5v5H4z M11 4h5v5h-5z M4 11h5v5H4z M11 11h5v5h-5z', type: 'M4 4h12v4H4z M4 12h12v4H4z',
  notice: 'M3 8v4h3l6 4V4L6 8z M15 7c1 1.500 1 4.500 0 6', idea: 'M7 14a5 5 0 116 0v2H7z M8 18h4', activity: 'M3 5h14v12H3z M3 9h14 M7 3v4 M13 3v4',
  search: 'M9 14A5 5 0 109 4a5 5 0 000 10z M13 13l4 4', plus: 'M10 4v12 M4 10h12', minus: 'M4 10h12', back: 'M8 5L4 9l4 4 M4 9h8a4 4 0 010 8h-2', close: 'M5 5l10 10 M15 5L5 15', up: 'M5 12l5-5 5 5', down: 'M5 8l5 5 5-5',
  left: 'M12 5l-5 5 5 5', right: 'M8 5l5 5-5 5', link: 'M8 12l4-4 M7 9l-2 2a3 3 0 004 4l2-2 M13 11l2-2a3 3 0 00-4-4L9 7', edit: 'M4 16l1-4 8-8 3 3-8 8z',
  download: 'M10 3v9 M6 9l4 4 4-4 M4 16h12', menu: 'M3 5h14 M3 10h14 M3 15h14', globe: 'M10 3a7 7 0 100 14 7 7 0 000-14z M3 10h14 M10 3c3 4 3 10 0 14 M10 3c-3 4-3 10 0 14',
  eye: 'M2 10c3-5 13-5 16 0-3 5-13 5-16 0z M10 12a2 2 0 100-4 2 2 0 000 4z', camera: 'M3 6h3l1-2h6l1 2h3v10H3z M10 13a3 3 0 100-6 3 3 0 000 6z', dot: 'M10 6a4 4 0 100 8 4 4 0 000-8z',
  more: 'M4 10h.01 M10 10h.01 M16 10h.01', sound: 'M3 8v4h3l5 4V4L6 8z M14 7c1.500 1.500 1.500 4.500 0 6 M16 5c3 3 3 7 0 10', mute: 'M3 8v4h3l5 4V4L6 8z M14 8l4 4 M18 8l-4 4',
  bell: 'M5 14V9a5 5 0 0110 0v5l1.500 1.500h-13z M8.500 17h3', pause: 'M7 5v10 M13 5v10', play: 'M6 4l10 6-10 6z', clock: 'M10 3a7 7 0 100 14 7 7 0 000-14z M10 6v4l3 2',
  shield: 'M10 2.500l6 2v5c0 4-3 6.500-6 8-3-1.500-6-4-6-8v-5z M7.500 10l2 2 3.500-4', table: 'M3 5h14 M7 10h10 M7 15h10 M3 10h.01 M3 15h.01', chart: 'M3 3v14h14 M6 13l3-4 3 2 4-6',
  trash: 'M4 6h12 M8 6V4h4v2 M6 6l1 11h6l1-11 M8.500 9v5 M11.500 9v5', lock: 'M5 9h10v8H5z M7 9V6.500a3 3 0 016 0V9', filter: 'M3 4h14l-5.500 7v5l-3-1.500V11z', inbox: 'M3 11l2-7h10l2 7v5H3z M3 11h4l1 2h4l1-2h4', cloud: 'M3 3l14 14 M6 15h8.500 M7 6.500A5 5 0 0115 9a3.200 3.200 0 012 5.500 M4.600 9A3.200 3.200 0 006 15',
  retry: 'M16 10a6 6 0 11-2-4.500 M14.500 2.500v3.500H11', tick: 'M4 10.500l4 4 8-9', pin: 'M10 18s6-5.500 6-10A6 6 0 004 8c0 4.500 6 10 6 10z M10 10a2 2 0 100-4 2 2 0 000 4z', phone: 'M5 3h3l1.500 4-2 1.500a9 9 0 004 4l1.500-2 4 1.500v3A14 14 0 015 3z', out: 'M8 4H4v12h4 M12 6l4 4-4 4 M8 10h8'
}
