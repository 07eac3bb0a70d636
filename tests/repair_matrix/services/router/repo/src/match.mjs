export function match(routes, path) {
  const route = routes.find((one) => one.path === path);
  return route.handler;
}

export function query(url) {
  return decodeURIComponent(url.split('?')[1]);
}

export function segments(path) {
  return path.split('/').filter(Boolean);
}
