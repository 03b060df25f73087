/** What may know the libraries of ND4J's CPU backend. */
package org.tokentune.cpu;
