"""How everything the matcher ships was made: encoder, activity classifier, fusion, calibration.

Nothing here is imported when a need is ranked. Torch, sentence-transformers and scikit-learn are
needed by this package only.
"""
