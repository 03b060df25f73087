/**
 * Chat templates, the subset of Jinja2 in which models describe how a conversation becomes text.
 */
package org.tokentune.chat;
