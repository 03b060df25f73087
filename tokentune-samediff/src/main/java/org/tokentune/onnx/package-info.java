/** Graphs as ONNX files, for onnxruntime and what builds on it. */
package org.tokentune.onnx;
