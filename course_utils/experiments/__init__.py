"""What the notebooks' experiments share: networks small enough to be trained for several seeds in seconds."""
