/** What notebooks share: pictures and progress. The notebooks lie in this module's folder. */
package org.tokentune.notebook;
