/** TokenTune's models behind the interfaces of langchain4j. */
package org.tokentune.langchain4j;
