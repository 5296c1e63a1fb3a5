/**
 * The original JSON functions, from before the project's code was loaded: code that replaces `JSON.stringify`, as some
 * libraries do, must not change how rows are written.
 */
export const { parse: fromJson, stringify: toJson } = JSON;
