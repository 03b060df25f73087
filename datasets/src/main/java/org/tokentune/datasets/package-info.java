/** Text data sets. Imports the core; the command line imports it; knows nothing of the zoo. */
package org.tokentune.datasets;
