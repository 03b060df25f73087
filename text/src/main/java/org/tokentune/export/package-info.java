/** Models in the formats of other programs. */
package org.tokentune.export;
