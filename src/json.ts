/**
 * JSON as it was before any of the project's code was loaded: a function that replaces `JSON.stringify`, as some
 * libraries do, must not change how rows are written.
 */
export const { parse: fromJson, stringify: toJson } = JSON;
