/** Models behind an HTTP address, with OpenAI's endpoints and others for classes and rerankers. */
package org.tokentune.server;
